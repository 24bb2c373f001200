"""What travels and what is stored: the strict codec, frames and sealed content."""
