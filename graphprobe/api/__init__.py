"""The use cases, one file each: values in, results out; `graphprobe` offers them by name.

Nothing here prints, reads a command line or names one of its options. Progress goes to a callback
or to the logger ``graphprobe``; what is in doubt is data in the result.
"""
