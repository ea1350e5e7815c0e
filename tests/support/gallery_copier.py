"""A process that copies a gallery, and stops after the first statement that has some words in it.

python -m support.gallery_copier SOURCE TARGET WORDS
"""

import sys
import time

import sqlalchemy as sa

from agegait.gallery import copy_gallery


def main(source, target, words):
    @sa.event.listens_for(sa.Engine, "after_cursor_execute")
    def wait(connection, cursor, statement, *_):
        if words in statement:
            print("amid", flush=True)
            time.sleep(600)

    copy_gallery(source, target)


if __name__ == "__main__":
    main(*sys.argv[1:])
