package main

import (
	"math"
	"strconv"
	"strings"
	"time"

	"lobstead/models"
)

// now stands still, so that two pictures are alike.
var now = time.Now()

func ago(d time.Duration) *time.Time { t := now.Add(-d); return &t }

func instance(id, name string, state models.InstanceState, tier models.Tier) models.Instance {
	size, _ := tier.Size()
	want := models.WantRunning
	if state == models.Stopped {
		want = models.WantStopped
	}
	return models.Instance{ID: id, Name: name, Region: "local", Tier: tier, MemoryMB: size.MemoryMB, StorageMB: size.StorageMB, Processes: size.Processes, CPUs: size.CPUs,
		Desired: want, State: state, Generation: 1, ObservedGeneration: 1, StateSince: now.Add(-4 * time.Minute),
		LastActiveAt: ago(3 * time.Minute), CreatedAt: now.Add(-74 * time.Hour)}
}

const diskFull = "The workspace is full: 1 GB of 1 GB. Free space or choose a larger tier."

// some are instances in every state.
func plans() []models.Plan {
	out := []models.Plan{}
	for _, s := range models.Sizes {
		out = append(out, models.Plan{Size: s})
	}
	return out
}

func some(n int) []models.Instance {
	base := []models.Instance{
		instance("i1", "support-triage", models.Running, models.Pro),
		instance("i2", "release-notes", models.Running, models.Starter),
		instance("i3", "nightly-build", models.Provisioning, models.Starter),
		instance("i4", "crawler", models.Errored, models.Pro),
		instance("i5", "sandbox-demo", models.Stopped, models.Starter),
		instance("i6", "warehouse-sync", models.Suspended, models.Business),
		instance("i7", strings.Repeat("averyverylongname-", 2)+"abcdefghijklmn", models.Running, models.Business),
		instance("i8", "old-experiment", models.Stopped, models.Starter),
	}
	base[2].ObservedGeneration, base[2].LastActiveAt, base[2].StateSince = 0, nil, now.Add(-2*time.Second)
	base[3].Reason, base[3].RetryAt = diskFull, ago(-40*time.Second)
	base[4].StateSince, base[4].LastActiveAt = now.Add(-26*time.Hour), ago(26*time.Hour)
	base[5].Reason = "The plan of this organization has ended"
	base[6].Desired = models.WantStopped
	base[7].Desired, base[7].LastActiveAt = models.WantDeleted, nil
	out := make([]models.Instance, n)
	for k := range out {
		out[k] = base[k%len(base)]
		if k >= len(base) {
			out[k].ID += "-" + strconv.Itoa(k)
			out[k].Name = strings.TrimRight(out[k].Name[:min(len(out[k].Name), 40)], "-") + "-" + strconv.Itoa(k)
		}
	}
	return out
}

func answers(list []models.Instance) map[string]string {
	names, out := []string{"auto → claude-sonnet-5", "gpt-6-sol", "offline-1"}, map[string]string{}
	for k, i := range list {
		out[i.ID] = names[k%len(names)]
	}
	return out
}

func metrics(n int, memory float64) []models.InstanceMetric {
	out := make([]models.InstanceMetric, n)
	for k := range out { // newest first
		x := float64(k)
		out[k] = models.InstanceMetric{CPUPercent: math.Abs(28 + 22*math.Sin(x/4) + 9*math.Sin(x)), MemoryMB: memory * (.8 + .1*math.Sin(x/7)),
			DiskMB: 214 - x/3, Processes: 7, RequestCount: int(x) % 3, TokenCount: int(x) % 3 * 1840, CreatedAt: now.Add(-12*time.Second - time.Duration(k)*15*time.Second)}
	}
	return out
}

func logs() []models.InstanceLog {
	out := []models.InstanceLog{}
	add := func(d time.Duration, l models.LogLevel, text string) {
		out = append(out, models.InstanceLog{ID: "g" + strconv.Itoa(len(out)), Level: l, Message: text, CreatedAt: now.Add(-d)})
	}
	add(4*time.Minute, models.LogInfo, "Running")
	add(4*time.Minute+time.Second, models.LogWarn, "cgroup cpu could not be applied: the controller is not delegated to this process")
	add(4*time.Minute+2*time.Second, models.LogInfo, "Restarted by Ada Lovelace")
	add(3*time.Hour, models.LogError, "Sandbox ended by itself: killed: out of memory (512 MB). It is being started again; files are as they were.")
	add(74*time.Hour-time.Second, models.LogInfo, "Running")
	add(74*time.Hour, models.LogInfo, "Created by Ada Lovelace")
	return out
}

func steps(states ...models.StepState) []models.InstanceStep {
	names := []string{"Workspace", "Sandbox", "Isolation", "Agent"}
	details := []string{"files of an earlier life kept", "", "13 of 15 layers", "answered"}
	took := []time.Duration{4 * time.Millisecond, 31 * time.Millisecond, 0, 12 * time.Millisecond}
	at, out := now.Add(-4*time.Minute), []models.InstanceStep{}
	for k, s := range states {
		step := models.InstanceStep{ID: "p" + strconv.Itoa(k), Name: names[k], State: s, Detail: details[k], StartedAt: at}
		at = at.Add(took[k])
		if s != models.StepRunning {
			end := at
			step.FinishedAt = &end
		}
		if s == models.StepFailed {
			step.Detail = diskFull
		}
		out = append(out, step)
	}
	return out
}

func layers() []models.Layer {
	return []models.Layer{
		{Name: "user namespace", Applied: true}, {Name: "mount namespace", Applied: true}, {Name: "pid namespace", Applied: true},
		{Name: "ipc namespace", Applied: true}, {Name: "network namespace", Applied: true, Detail: "no way out but the model door and fetch_url"},
		{Name: "own user id", Applied: true, Detail: "70001"}, {Name: "cgroup memory", Applied: true, Detail: "v2"},
		{Name: "cgroup cpu", Detail: "the controller is not delegated to this process: set Delegate=yes in the unit"},
		{Name: "resource limits", Applied: true}, {Name: "no capabilities", Applied: true, Detail: "and no new privileges"},
		{Name: "landlock", Applied: true, Detail: "ABI 6"}, {Name: "seccomp", Applied: true, Detail: "no raw sockets"},
	}
}

func sessions() []models.Session {
	titles := []string{"Why did the nightly sync fail?", "Draft release notes for 2.4", "Refund request #8841 of a customer who writes very long titles because nobody ever told them that a title is a title", "Set up the staging database"}
	out := []models.Session{}
	for k, t := range titles {
		out = append(out, models.Session{ID: "s" + strconv.Itoa(k), Title: t, Category: models.SessionCategories[k], MessageCount: 1 + k*9, LastMessageAt: ago(time.Duration(k*k+1) * 17 * time.Minute), CreatedAt: now})
	}
	return out
}
