"""One file a report (world → ``Report``), one file a format (``Report`` → bytes)."""
