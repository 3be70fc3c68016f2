"""What a finished run left, judged in a second, clean process."""
