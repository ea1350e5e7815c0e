"""A process that enrols people, and forgets some of them, until it is done or killed; it says what is done.

python -m support.gallery_writer URL FIRST COUNT
"""

import sys

from support.gallery_bodies import BoneLengths, walk

import agegait


def main(url, first, count):
    gallery = agegait.Gallery.open(url, BoneLengths())
    print("open", flush=True)
    for turn in range(int(count)):
        number = int(first) + turn
        gallery.enrol(f"person {number}", [walk(number), walk(number, 1)], consent="form")
        print("enrolled", number, flush=True)
        if turn % 3 == 2:
            print("forgetting", number - 1, flush=True)
            gallery.forget(f"person {number - 1}")
            print("forgotten", number - 1, flush=True)
    gallery.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
