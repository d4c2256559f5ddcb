"""report.html: one page that holds everything a build found."""
