"""The end of an engagement: terminated by Legal, lost in Sales or closed by Delivery."""
