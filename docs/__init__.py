"""The pages for readers, and the program that writes those generated from the code."""
