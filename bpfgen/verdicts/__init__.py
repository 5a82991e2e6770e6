"""Which kernel takes which object, and why not: said from the object and what is known of a kernel, without loading."""
