"""The device's SQL, one file per noun, over the Database port."""
