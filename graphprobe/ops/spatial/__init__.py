"""Where H and W are, and how much smaller than the image: what strides and sizes follow."""
