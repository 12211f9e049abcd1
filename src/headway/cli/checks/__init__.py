"""What `headway doctor` looks at, one kind of thing a file. A check says what it found and what to do; it changes nothing."""
