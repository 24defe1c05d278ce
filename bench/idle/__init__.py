"""What a whole Pledgewire costs while nothing happens, and what the first event after a lull waits.

`./pledgewire bench idle` starts broker, database and the four services on the real clock, with the statement of 2021 in
the register, and lets them rest: CPU in percent of one core, and memory (PSS), of each and in sum. Then it posts single
status updates, some after a lull and some in quick succession, and measures from the request to the delivery at a
receiver on the same machine. It says, too, how long the first start took and one with everything in place.
"""
