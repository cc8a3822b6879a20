import os
import signal
import sys

if sys.argv[0] == "-m":  # this is the program, and still being loaded: who stops it by then sees no traceback
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
