"""What we show of the log. Everything here can be thrown away and rebuilt."""
