/* Nothing of its own: the sources of a program are linked into this translation unit. */
