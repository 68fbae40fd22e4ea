"""Control charts: whether the results of many nights have left a frozen reference."""
