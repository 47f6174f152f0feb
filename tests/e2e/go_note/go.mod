module yushi/tests/e2e/go_note

go 1.18

require golang.org/x/mod v0.17.0
