// Checks with Go's own libraries what core/ledger wrote: the signed note, record proofs and tree proofs.
// The vectors are written by ledger_tests when YUSHI_LEDGER_VECTORS names a file; this takes the file as its argument.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type vectors struct {
	Verifier string
	Note     string
	Trees    []struct {
		Size    int64
		Root    []byte
		Entries []string
		Proofs  [][][]byte // of each record
		From    [][][]byte // consistency with each smaller tree, from size 1 on
	}
}

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

func hash(bytes []byte) (out tlog.Hash) {
	if copy(out[:], bytes) != len(out) {
		fail("a hash of %d bytes", len(bytes))
	}
	return out
}

func hashes(list [][]byte) (out []tlog.Hash) {
	for _, each := range list {
		out = append(out, hash(each))
	}
	return out
}

func main() {
	if len(os.Args) != 2 {
		fail("usage: go_note VECTORS.json")
	}
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		fail("%v", err)
	}
	var v vectors
	if err := json.Unmarshal(text, &v); err != nil {
		fail("%s: %v", os.Args[1], err)
	}
	verifier, err := note.NewVerifier(v.Verifier)
	if err != nil {
		fail("verifier line %q: %v", v.Verifier, err)
	}
	opened, err := note.Open([]byte(v.Note), note.VerifierList(verifier))
	if err != nil || len(opened.Sigs) != 1 {
		fail("note.Open: %v", err)
	}
	if _, err := note.Open([]byte(strings.Replace(v.Note, "\n", "x\n", 1)), note.VerifierList(verifier)); err == nil {
		fail("note.Open took a changed note")
	}
	largest := v.Trees[len(v.Trees)-1]
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() || lines[1] != fmt.Sprint(largest.Size) || lines[2] != hash(largest.Root).String() {
		fail("the note says %q, not the tree of %d with root %s", opened.Text, largest.Size, hash(largest.Root))
	}
	proofs := 0
	for _, tree := range v.Trees {
		for i, entry := range tree.Entries {
			if err := tlog.CheckRecord(hashes(tree.Proofs[i]), tree.Size, hash(tree.Root), int64(i), tlog.RecordHash([]byte(entry))); err != nil {
				fail("record %d of %d: %v", i, tree.Size, err)
			}
			proofs++
		}
		for i, proof := range tree.From {
			if err := tlog.CheckTree(hashes(proof), tree.Size, hash(tree.Root), int64(i+1), hash(v.Trees[i].Root)); err != nil {
				fail("tree %d from %d: %v", tree.Size, i+1, err)
			}
			proofs++
		}
	}
	fmt.Printf("note and %d proofs hold\n", proofs)
}
