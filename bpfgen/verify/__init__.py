"""`bpfgen verify`: loads objects into real kernels, and keeps what they said."""
