"""The nightly report: one HTML file that says what a night did, read from the lake and journal."""
