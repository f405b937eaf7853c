"""What the tests of faults add: crowds of pages, steady streams, a checker of promises."""
