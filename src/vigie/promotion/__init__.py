"""Whether a challenger takes the champion's place, and which champion came before."""
