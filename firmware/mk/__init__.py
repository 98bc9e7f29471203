"""The steps that make the image; firmware/build.py puts them in order."""
