// Command bench measures the built program beside its peers on this machine and writes the table in
// docs/benchmarks.md. What is compared is measured round by round in one run, the first round is dropped, and
// medians are kept: absolute times on a shared machine drift, ratios hold. It asserts nothing.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// row is one line of the table.
type row struct{ what, figure, peer, goal, verdict string }

type bench struct {
	rounds     int
	dir        string // scratch
	binary     string
	pocketbase string // "" when it cannot be had
	rows       []row
	notes      []string
	loads      []float64
}

// sections in the order of the table.
var sections = []struct {
	name string
	run  func(*bench) error
}{
	{"start", (*bench).start}, {"create", (*bench).create}, {"hundred", (*bench).hundred}, {"chat", (*bench).chat},
	{"pages", (*bench).pages}, {"render", (*bench).render}, {"files", (*bench).files}, {"memory", (*bench).memory}, {"streams", (*bench).streams}, {"automations", (*bench).automations}, {"crowd", (*bench).crowds}, {"gateway", (*bench).gateway},
}

func main() {
	rounds := flag.Int("rounds", 10, "rounds, the first of which is dropped")
	only := flag.String("only", "", "sections to run, with commas; the table is printed and not written")
	binary := flag.String("binary", "", "a built program; default: build one")
	pocketbase := flag.String("pocketbase", "", "a built PocketBase; default: build one")
	flag.Parse()
	if err := run(*rounds, *only, *binary, *pocketbase); err != nil {
		log.Fatal(err)
	}
}

func run(rounds int, only, binary, pocketbase string) error {
	raiseFiles()
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	b := &bench{rounds: rounds, dir: dir, binary: binary, pocketbase: pocketbase}
	if err := b.build(); err != nil {
		return err
	}
	for _, s := range sections {
		if only != "" && !strings.Contains(","+only+",", ","+s.name+",") {
			continue
		}
		log.Printf("%s (load %.1f)", s.name, b.load())
		from := len(b.rows)
		if err := s.run(b); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		for _, r := range b.rows[from:] {
			log.Printf("  %s: %s | %s | goal %s | %s", r.what, r.figure, r.peer, r.goal, r.verdict)
		}
	}
	b.load()
	if only != "" {
		fmt.Println(b.table())
		return nil
	}
	return b.write("docs/benchmarks.md")
}

// build makes the program as `make build` does, and the peer in its own module.
func (b *bench) build() error {
	if b.binary == "" {
		b.binary = filepath.Join(b.dir, "lobstead")
		if out, err := exec.Command("bin/build", b.binary).CombinedOutput(); err != nil {
			return fmt.Errorf("bin/build: %w: %s", err, out)
		}
	}
	if b.pocketbase == "" {
		b.pocketbase = filepath.Join(b.dir, "pocketbase")
		if err := goBuild("docs/bench/peers", b.pocketbase, "./pocketbase"); err != nil {
			b.pocketbase = ""
			b.notes = append(b.notes, "PocketBase could not be built here ("+strings.SplitN(err.Error(), "\n", 2)[0]+"): its columns are empty.")
		}
	}
	return nil
}

func goBuild(dir, to, pkg string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", to, pkg)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w: %s", pkg, err, out)
	}
	return nil
}

func (b *bench) add(r row) { b.rows = append(b.rows, r) }

// goal compares a figure with what it should be at most.
func goal(got, most float64) string {
	if got <= most {
		return "met"
	}
	return "**missed**"
}
