"""The demo's job: find exact and near duplicates among files. An example to read: it uses Headway as anybody would."""
