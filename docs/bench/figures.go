package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// sample is a list of durations.
type sample []time.Duration

// at gives a percentile in milliseconds; at(50) is the median.
func (s sample) at(percent float64) float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Clone(s)
	slices.Sort(sorted)
	return float64(sorted[int(float64(len(sorted)-1)*percent/100)].Nanoseconds()) / 1e6
}

func ms(v float64) string {
	switch {
	case v < 1:
		return strconv.FormatFloat(v, 'f', 2, 64) + " ms"
	case v < 20:
		return strconv.FormatFloat(v, 'f', 1, 64) + " ms"
	}
	return strconv.FormatFloat(v, 'f', 0, 64) + " ms"
}

func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	sorted := slices.Clone(list)
	slices.Sort(sorted)
	return sorted[len(sorted)/2]
}

func mb(bytes float64) string { return strconv.FormatFloat(bytes/(1<<20), 'f', 1, 64) + " MB" }

// load notes how busy the machine is.
func (b *bench) load() float64 {
	text, _ := os.ReadFile("/proc/loadavg")
	v, _ := strconv.ParseFloat(strings.Fields(string(text) + " 0")[0], 64)
	b.loads = append(b.loads, v)
	return v
}

const (
	begin = "<!-- bench:begin -->"
	end   = "<!-- bench:end -->"
)

func (b *bench) table() string {
	var t strings.Builder
	fmt.Fprintf(&t, "%s\nMeasured %s on %d cores (%s), %s, %s; load average %.1f to %.1f during the run; %d rounds, the first dropped.\n\n",
		begin, time.Now().UTC().Format("2006-01-02"), runtime.NumCPU(), processor(), runtime.Version(), kernel(), slices.Min(b.loads), slices.Max(b.loads), b.rounds)
	t.WriteString("| What | Lobstead | Peer, same run | Goal | |\n|---|---|---|---|---|\n")
	for _, r := range b.rows {
		fmt.Fprintf(&t, "| %s | %s | %s | %s | %s |\n", r.what, r.figure, r.peer, r.goal, r.verdict)
	}
	for _, n := range b.notes {
		t.WriteString("\n" + n + "\n")
	}
	return t.String() + end
}

func (b *bench) write(path string) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	head, rest, ok := strings.Cut(string(old), begin)
	_, foot, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no markers", path)
	}
	return os.WriteFile(path, []byte(head+b.table()+foot), 0o644)
}

func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(line, "model name\t: "); ok {
			return strings.TrimSpace(name)
		}
	}
	return runtime.GOARCH
}

func kernel() string {
	text, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	version, _, _ := strings.Cut(strings.TrimSpace(string(text)), "-")
	return "Linux " + version
}

// raiseFiles makes room for ten thousand connections.
func raiseFiles() {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) == nil {
		l.Cur = l.Max
		_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l)
	}
}

// resident is the memory of a process, whole and without the pages of its file.
func resident(pid int) (rss, private float64) {
	text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		kb, _ := strconv.ParseFloat(f[1], 64)
		switch f[0] {
		case "VmRSS:":
			rss = kb * 1024
		case "RssAnon:":
			private = kb * 1024
		}
	}
	return rss, private
}
