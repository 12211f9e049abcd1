"""What the example applications share: starting one with its workers, two people to try it with, and asking Headway."""
