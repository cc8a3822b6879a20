"""`make bench`: what the site costs, measured on this machine in one run.

Starts the site as `make run` does, in a throwaway folder, with articles of 0 to 1,000,000 comments, and asks it as
readers would; server and client share the machine. Times move from machine to machine and with whatever else runs:
compare within one run. The very last line is one JSON object, for programs.

    make bench                      # all sizes, under ten minutes
    make bench QUICK=1              # a short one, to see that it works
    make bench SIZES="0 100 10000"  # other sizes

The site imports nothing from here.

    texts.py      German comments of realistic length, as many as needed
    build.py      articles of any size through COPY, with all counters as posting would have left them
    client.py     a small HTTP client that takes little of the machine it measures
    constant.py   the response to compare with: the same bytes out of a Django that does nothing else
    house.py      starts, watches and stops the site
    steps.py      the steps, one after the other
    measure.py    what is asked of the site, and what is noted of the answers
    report.py     the table and the line of JSON
"""
