package main_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// mayCallProviders are the only files that ask a provider for an answer: the door, which reserves before and settles
// after, and llm.Test, which is handed a provider that goes through the door.
var mayCallProviders = map[string]string{
	"engine/llm/door/": "the door itself",
	"engine/llm/":      "adapters and the test of a connection; they import neither models nor the door",
}

// Every path to a model goes through the door: what looks like a call of a provider is one of the door's, everywhere
// else.
func TestEveryModelCallGoesThroughTheDoor(t *testing.T) {
	doors := map[string]int{}
	for _, f := range sources(t, ".go") {
		if strings.HasSuffix(f, "_test.go") || strings.HasSuffix(f, "_templ.go") || strings.HasPrefix(f, "docs/") || strings.Contains(f, "test/") || allowed(f) {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, f, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			switch s.Sel.Name {
			case "Stream", "Answer":
				if name := receiver(s.X); strings.EqualFold(name, "door") {
					doors[f]++
				} else if s.Sel.Name == "Stream" && name != "markdown" { // of views: blocks of text
					t.Errorf("%s: %s.Stream calls a provider past the door", set.Position(s.Pos()), name)
				}
			case "Embed":
				t.Errorf("%s: Embed calls a provider past the door", set.Position(s.Pos()))
			case "Test", "Collect": // llm.Test takes a provider; llm.Collect takes a stream, whose maker is checked above
				if receiver(s.X) == "llm" && s.Sel.Name == "Test" {
					t.Errorf("%s: llm.Test past the door", set.Position(s.Pos()))
				}
			case "Provider": // a route's provider in other hands than the door's could be called
				if name := receiver(s.X); name == "route" || name == "Routes" {
					t.Errorf("%s: %s.Provider leaves the door", set.Position(s.Pos()), name)
				}
			}
			return true
		})
	}
	require.NotEmpty(t, doors, "somebody calls models")
}

func allowed(file string) bool {
	for prefix := range mayCallProviders {
		if strings.HasPrefix(file, prefix) {
			return true
		}
	}
	return false
}

// receiver is the last name of what a method is called on: "Door" of x.Door.Stream.
func receiver(x ast.Expr) string {
	switch e := x.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.CallExpr:
		return receiver(e.Fun)
	}
	return ""
}

// Inside the door, one place calls a provider for an answer and one for an embedding, and each has reserved before.
func TestTheDoorCallsProvidersInOnePlace(t *testing.T) {
	calls, embeds := []string{}, []string{}
	for _, f := range sources(t, ".go") {
		if !strings.HasPrefix(f, "engine/llm/door/") || strings.HasSuffix(f, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, f, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			if c, ok := n.(*ast.CallExpr); ok {
				if s, ok := c.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Stream" && receiver(s.X) == "Provider" {
					calls = append(calls, set.Position(c.Pos()).Filename)
				} else if ok && s.Sel.Name == "Embed" {
					embeds = append(embeds, set.Position(c.Pos()).Filename)
				}
			}
			return true
		})
	}
	require.Equal(t, []string{"engine/llm/door/door.go"}, calls)
	require.Equal(t, []string{"engine/llm/door/semantic.go"}, embeds)
}
