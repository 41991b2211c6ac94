package instances_test

import (
	"bytes"
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/models"
	"lobstead/views/instances"
)

func fifty() instances.IndexProps {
	p := instances.IndexProps{Models: map[string]string{}}
	states := models.InstanceStates
	for n := range 50 {
		at := time.Now().Add(-time.Duration(n) * time.Minute)
		i := models.Instance{ID: "c0000000000000000000000" + strconv.Itoa(100+n), Name: "support-triage-" + strconv.Itoa(n), Region: "local", Tier: models.Pro,
			MemoryMB: 2048, StorageMB: 10240, Desired: models.WantRunning, State: states[n%len(states)], StateSince: at, LastActiveAt: &at}
		if i.State == models.Errored {
			i.Reason = "The workspace is full: 1 GB of 1 GB. Free space or choose a larger tier."
		}
		p.Instances = append(p.Instances, i)
		p.Models[i.ID] = "auto → claude-sonnet-5"
	}
	return p
}

// BenchmarkRows is the price of a list of 50. Goal: at most 100 µs and 300 allocations.
func BenchmarkRows(b *testing.B) {
	p, ctx := fifty(), context.Background()
	var buf bytes.Buffer
	b.ReportAllocs()
	for b.Loop() {
		buf.Reset()
		_ = instances.Rows(p).Render(ctx, &buf)
	}
}

func BenchmarkIndex(b *testing.B) {
	p, ctx := fifty(), context.Background()
	var buf bytes.Buffer
	b.ReportAllocs()
	for b.Loop() {
		buf.Reset()
		_ = instances.Index(p).Render(ctx, &buf)
	}
}

func TestRowsStayCheap(t *testing.T) {
	p, ctx := fifty(), context.Background()
	var buf bytes.Buffer
	n := testing.AllocsPerRun(20, func() {
		buf.Reset()
		_ = instances.Rows(p).Render(ctx, &buf)
	})
	require.LessOrEqual(t, n, 300.0)
}

// A patch of one row is the row of the list, byte for byte.
func TestARowAloneIsTheRowOfTheList(t *testing.T) {
	p := fifty()
	var list, one strings.Builder
	require.NoError(t, instances.Rows(p).Render(context.Background(), &list))
	require.NoError(t, instances.Row(&p.Instances[3], p.Models[p.Instances[3].ID]).Render(context.Background(), &one))
	require.Contains(t, list.String(), one.String())
	require.True(t, strings.HasPrefix(one.String(), `<tr id="instance-`+p.Instances[3].ID+`">`))
	require.Contains(t, one.String(), "The workspace is full: 1 GB of 1 GB, ")
}
