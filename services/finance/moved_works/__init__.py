"""Works of booked months that an engagement keeps in streams of their own."""
