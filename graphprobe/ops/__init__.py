"""What graphprobe knows of operators, one file a family."""
