"""Works of a booked month of an engagement, which its own stream does not need any more."""
