package models_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/id"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// The words of the benchmark are spread as those of a language: word n occurs 1/n as often as the first.
const vocabulary = 20_000

func someWords(r *rand.Rand, z *rand.Zipf, n int) string {
	out := make([]string, n)
	for i := range out {
		out[i] = benchWord(int(z.Uint64()))
	}
	return strings.Join(out, " ")
}

var syllables = strings.Fields("de plo ser ver con fi gu ra tion key to ken ma chi ne ba se da ta ro le an no te re me mo ry in dex")

// benchWord spells a number as syllables: words that begin alike are as frequent as in a language.
func benchWord(n int) string {
	w := syllables[n%len(syllables)] + syllables[n/len(syllables)%len(syllables)]
	return w + syllables[n/len(syllables)/len(syllables)%len(syllables)] + strconv.Itoa(n/(len(syllables)*len(syllables)*len(syllables)))
}

// fillMemories writes rows below gorm, the index of Postgres afterwards.
func fillMemories(b testing.TB, store *models.Store, org string, instances []string, n int) {
	r := rand.New(rand.NewPCG(1, 2))
	z := rand.NewZipf(r, 1.07, 4, vocabulary-1)
	db := store.SQL()
	exec := func(tx *sql.Tx, query string, args ...any) {
		_, err := tx.Exec(query, args...)
		require.NoError(b, err)
	}
	postgres := modelstest.Postgres()
	if postgres {
		_, err := db.Exec("DROP INDEX memories_terms")
		require.NoError(b, err)
	}
	at := time.Now().Add(-time.Duration(n) * time.Second).UTC()
	const batch = 500
	for done := 0; done < n; {
		tx, err := db.BeginTx(b.Context(), nil)
		require.NoError(b, err)
		for range 20 {
			places, args := []string{}, []any{}
			for range min(batch, n-done) {
				inst, mid := instances[done%len(instances)], id.New()
				value := "common " + someWords(r, z, 12) + fmt.Sprintf(" only%d", done)
				now := at.Add(time.Duration(done) * time.Second)
				k := len(args)
				places = append(places, fmt.Sprintf("($%d,$%d,$%d,$%d,$%d,'fact','auto',$%d,$%d,$%d)", k+1, k+2, k+3, k+4, k+5, k+6, k+7, k+8))
				args = append(args, mid, org, inst, mid, value, models.IndexWords(inst, mid, value, "fact"), now, now)
				done++
			}
			if len(places) > 0 {
				exec(tx, "INSERT INTO memories (id, organization_id, instance_id, key, value, category, source, words, created_at, updated_at) VALUES "+strings.Join(places, ","), args...)
			}
		}
		require.NoError(b, tx.Commit())
	}
	if postgres {
		for _, q := range []string{"CREATE INDEX memories_terms ON memories USING gin (memory_terms(words)) WITH (fastupdate = off)", "VACUUM ANALYZE memories"} {
			_, err := db.Exec(q)
			require.NoError(b, err)
		}
	}
}

// BenchmarkMemorySearch asks for common, middling, rare and missing words, alone and together, for beginnings of one
// letter and more. LOBSTEAD_BENCH_MEMORIES is how many entries there are, LOBSTEAD_BENCH_INSTANCES over how many
// instances: 100000 in 1, or 1000000 over 10 with one of them asked.
func BenchmarkMemorySearch(b *testing.B) {
	total, over := number("LOBSTEAD_BENCH_MEMORIES", 5000), number("LOBSTEAD_BENCH_INSTANCES", 1)
	store := modelstest.New(b)
	sc, _ := modelstest.Found(b, store, "bench")
	instances := []string{}
	for n := range over {
		instances = append(instances, modelstest.Instance(b, sc, fmt.Sprintf("agent-%d", n)).ID)
	}
	began := time.Now()
	fillMemories(b, store, sc.Org, instances, total)
	b.Logf("%d entries over %d instances in %s", total, over, time.Since(began).Round(time.Second))
	r := rand.New(rand.NewPCG(3, 4))
	z := rand.NewZipf(r, 1.07, 4, vocabulary-1)
	for _, kind := range []struct {
		name  string
		query func() string
	}{
		{"in-all", func() string { return "common" }},
		{"any-word", func() string { return someWords(r, z, 1) }},
		{"rare", func() string { return benchWord(vocabulary - 1 - r.IntN(vocabulary/2)) }},
		{"one-row", func() string { return fmt.Sprintf("only%d", r.IntN(total)) }},
		{"none", func() string { return fmt.Sprintf("missing%d", r.IntN(total)) }},
		{"three-words", func() string { return someWords(r, z, 3) }},
		{"common-and-rare", func() string { return "common " + benchWord(vocabulary/2+r.IntN(vocabulary/2)) }},
		{"two-frequent", func() string { return benchWord(r.IntN(6)) + " " + benchWord(6+r.IntN(6)) }},
		{"one-letter", func() string { return string("dsgtmbranki"[r.IntN(11)]) }},
		{"three-letters", func() string { return benchWord(r.IntN(200))[:3] }},
		{"five-letters", func() string { return (benchWord(r.IntN(200)) + "xx")[:5] }},
		{"only-prefix", func() string { return "only" }},
	} {
		b.Run(kind.name, func(b *testing.B) {
			times := []time.Duration{}
			for b.Loop() {
				query := kind.query()
				began := time.Now()
				_, err := sc.MemoryList(b.Context(), models.MemoryFilter{InstanceID: instances[0], Query: query, Limit: 50})
				times = append(times, time.Since(began))
				require.NoError(b, err)
			}
			slices.Sort(times)
			for name, q := range map[string]int{"p50-ms": 50, "p99-ms": 99, "max-ms": 100} {
				b.ReportMetric(float64(times[min(len(times)*q/100, len(times)-1)].Microseconds())/1000, name)
			}
		})
	}
}

func number(name string, other int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return other
}
