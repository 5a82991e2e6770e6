enum verdict {
	DROP = 1,
	PASS = 2,
};
