package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"lobstead/engine/sandbox/process"
	"lobstead/jobs"
	"lobstead/kit/config"
	"lobstead/models"
	"lobstead/views/setup"
	"lobstead/views/ui"
)

// doctor runs every check and says what to do about those that fail; a bad one makes the exit status 1.
func doctor(ctx context.Context, cli *config.CLI) error {
	n := &node{cfg: &cli.Config}
	services := n.serviceChecks(ctx) // first: it makes the data directory that the host's checks look at
	checks := append(n.hostChecks(ctx), services...)
	bad := 0
	for _, c := range checks {
		if c.Kind == ui.Bad {
			bad++
		}
	}
	if cli.Doctor.JSON {
		if err := json.NewEncoder(os.Stdout).Encode(checks); err != nil {
			return err
		}
	} else {
		printChecks(checks)
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d checks failed", bad, len(checks))
	}
	return nil
}

var marks = map[ui.Kind]string{ui.OK: "ok  ", ui.Warn: "warn", ui.Bad: "BAD "}

func printChecks(checks []setup.Check) {
	for _, c := range checks {
		fmt.Printf("%s  %-28s %s\n", marks[c.Kind], c.Name, c.Verdict)
		if c.Fix != "" && c.Kind != ui.OK {
			fmt.Printf("      %-28s → %s\n", "", c.Fix)
		}
	}
}

// checks are those that the setup page shows: the services of a running server are known to answer.
func (n *node) checks(ctx context.Context) []setup.Check { return n.hostChecks(ctx) }

// hostChecks look at what this machine offers.
func (n *node) hostChecks(ctx context.Context) []setup.Check {
	out := []setup.Check{n.diskCheck(), clockCheck(), filesCheck()}
	for _, l := range process.Probe(ctx, process.Config{Dir: n.cfg.DataDir}) {
		c := setup.Check{Name: "Isolation: " + l.Name, Kind: ui.OK, Verdict: "available"}
		if !l.Applied {
			c.Kind, c.Verdict, c.Fix = ui.Warn, "not available here", l.Detail
		}
		out = append(out, c)
	}
	return out
}

// Free space that a workspace and a database need to live a while.
const (
	diskLow   = 5 << 30
	diskEmpty = 512 << 20
)

func (n *node) diskCheck() setup.Check {
	c := setup.Check{Name: "Disk", Kind: ui.OK}
	dir, err := filepath.Abs(n.cfg.DataDir)
	for err == nil {
		if _, missing := os.Stat(dir); missing == nil || dir == "/" {
			break
		}
		dir = filepath.Dir(dir)
	}
	var st unix.Statfs_t
	if err == nil {
		err = unix.Statfs(dir, &st)
	}
	if err != nil {
		return setup.Check{Name: "Disk", Kind: ui.Bad, Verdict: err.Error(), Fix: "Choose a data directory that exists with --data"}
	}
	free := st.Bavail * uint64(st.Bsize)
	c.Verdict = fmt.Sprintf("%.1f GB free for %s", float64(free)/(1<<30), n.cfg.DataDir)
	switch {
	case free < diskEmpty:
		c.Kind, c.Fix = ui.Bad, "Free some space, or choose another data directory with --data"
	case free < diskLow:
		c.Kind, c.Fix = ui.Warn, "A few instances will fill this: plan for more"
	}
	return c
}

// bornYear is when this program was written: a clock before it is wrong.
const bornYear = 2026

func clockCheck() setup.Check {
	now := time.Now()
	if now.Year() < bornYear {
		return setup.Check{Name: "Clock", Kind: ui.Bad, Verdict: now.Format(time.RFC3339), Fix: "Set the machine's clock: sign-ins and links depend on it"}
	}
	return setup.Check{Name: "Clock", Kind: ui.OK, Verdict: now.UTC().Format(time.RFC3339)}
}

const filesWanted = 4096

func filesCheck() setup.Check {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return setup.Check{Name: "Open files", Kind: ui.Warn, Verdict: err.Error()}
	}
	c := setup.Check{Name: "Open files", Kind: ui.OK, Verdict: fmt.Sprintf("limit %d", l.Max)}
	if l.Max < filesWanted {
		c.Kind, c.Fix = ui.Warn, "Raise the hard limit of open files (ulimit -Hn): each open page needs one"
	}
	return c
}

// serviceChecks open what a server would open.
func (n *node) serviceChecks(ctx context.Context) []setup.Check {
	opened, err := newNode(ctx, n.cfg)
	if err != nil {
		return []setup.Check{{Name: "Database", Kind: ui.Bad, Verdict: explain(err), Fix: "Check DATABASE_URL, or that the data directory can be written"}}
	}
	defer opened.close()
	out := []setup.Check{{Name: "Secret key", Kind: ui.OK, Verdict: "present"},
		{Name: "Database", Kind: ui.OK, Verdict: string(opened.store.Dialect()) + ", up to date"}, opened.ledgerCheck(ctx)}
	r, err := jobs.OpenRedis(ctx, n.cfg.Redis)
	if err != nil {
		out = append(out, setup.Check{Name: "Redis", Kind: ui.Bad, Verdict: explain(err), Fix: "Check REDIS_URL, or unset it to use the embedded one"})
	} else {
		verdict := "answers"
		if r.Embedded() {
			verdict = "embedded"
		}
		_ = r.Close()
		out = append(out, setup.Check{Name: "Redis", Kind: ui.OK, Verdict: verdict})
	}
	return append(append(out, n.mailChecks(ctx, opened.store)...), n.listenCheck())
}

// mailChecks ask the mail server to let us in, and count what nobody could deliver.
func (n *node) mailChecks(ctx context.Context, store *models.Store) []setup.Check {
	out := []setup.Check{{Name: "Mail server", Kind: ui.OK, Verdict: "none: the links of invitations are shown, to be passed on"}}
	if server, err := n.post(); err != nil {
		out[0] = setup.Check{Name: "Mail server", Kind: ui.Bad, Verdict: explain(err), Fix: "Check SMTP_URL and MAIL_FROM"}
	} else if server != nil {
		out[0].Verdict = "lets us in"
		if err := server.Check(ctx); err != nil {
			out[0] = setup.Check{Name: "Mail server", Kind: ui.Warn, Verdict: explain(err), Fix: "Check SMTP_URL: letters wait in the outbox and are tried for a day"}
		}
	}
	counts, err := store.AsSystem("what was not delivered").CountDeliveries(ctx)
	switch {
	case err != nil:
		out = append(out, setup.Check{Name: "Deliveries", Kind: ui.Bad, Verdict: explain(err)})
	case counts[models.DeliveryDead] > 0:
		out = append(out, setup.Check{Name: "Deliveries", Kind: ui.Warn, Verdict: fmt.Sprintf("%d could not be delivered", counts[models.DeliveryDead]), Fix: "Look at /admin/deliveries?state=dead: replay or drop them"})
	default:
		out = append(out, setup.Check{Name: "Deliveries", Kind: ui.OK, Verdict: fmt.Sprintf("%d wait, none is dead", counts[models.DeliveryPending])})
	}
	return out
}

// ledgerCheck recomputes every budget's balance from the entries.
func (n *node) ledgerCheck(ctx context.Context) setup.Check {
	c := setup.Check{Name: "Ledger", Kind: ui.OK}
	reports, err := n.store.AsSystem("the doctor checks the ledger").CheckLedger(ctx)
	if err != nil {
		c.Kind, c.Verdict = ui.Bad, explain(err)
		return c
	}
	balances := 0
	for _, r := range reports {
		balances += r.Balances
		for _, p := range r.Problems {
			c.Kind, c.Verdict = ui.Bad, p
			c.Fix = "Keep a copy of the database and report this; removing the budget and setting it again opens a true balance"
		}
	}
	if c.Kind == ui.OK {
		c.Verdict = fmt.Sprintf("%d balances equal the sum of their entries", balances)
	}
	return c
}

func (n *node) listenCheck() setup.Check {
	l, err := net.Listen("tcp", n.cfg.Listen)
	if err != nil {
		return setup.Check{Name: "Address", Kind: ui.Warn, Verdict: err.Error(), Fix: "Lobstead may be running already; else choose another address with --listen"}
	}
	_ = l.Close()
	return setup.Check{Name: "Address", Kind: ui.OK, Verdict: n.cfg.Listen + " is free"}
}
