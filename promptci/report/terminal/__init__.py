"""What a terminal or a log shows of a run: lines of styled pieces, and the texts made of them."""
