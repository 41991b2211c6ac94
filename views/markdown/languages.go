package markdown

import (
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
)

// words makes the lookup of a language's own words at the first use: class and words, class and words, …
func words(groups ...string) func() map[string]string {
	return sync.OnceValue(func() map[string]string {
		m := map[string]string{}
		for i := 0; i < len(groups); i += 2 {
			for _, w := range strings.Fields(groups[i+1]) {
				m[w] = groups[i]
			}
		}
		return m
	})
}

var slashes = [][2]string{{"/*", "*/"}}

var (
	curly = []string{"//"}
	hash  = []string{"#"}
)

// languages by their first name.
var languages = map[string]*language{
	"go": {label: "Go", line: curly, block: slashes, quotes: `"'`, raw: "`", marks: markRune, words: words(
		"kn", "package import", "kd", "func var const type struct interface map chan",
		"k", "break case continue default defer else fallthrough for go goto if range return select switch",
		"kc", "true false nil iota", "kt", "any bool byte comparable complex64 complex128 error float32 float64 int int8 int16 int32 int64 rune string uint uint8 uint16 uint32 uint64 uintptr",
		"nb", "append cap clear close complex copy delete imag len make max min new panic print println real recover")},
	"python": {label: "Python", line: hash, quotes: `"'`, long: []string{`"""`, `'''`}, marks: markAt, words: words(
		"kn", "import from as", "kd", "def class", "k", "and assert async await break case continue del elif else except finally for global if in is lambda match nonlocal not or pass raise return try while with yield",
		"kc", "True False None", "nb", "abs all any bool bytes dict enumerate filter float format getattr hasattr hash int isinstance iter len list map max min next object open print range repr reversed round self cls set setattr sorted str sum super tuple type zip Exception ValueError TypeError KeyError")},
	"javascript": {label: "JavaScript", line: curly, block: slashes, quotes: `"'`, long: []string{"`"}, marks: markAt, words: words(
		"kn", "import export from", "kd", "const let var function class", "k", "as async await break case catch continue debugger default delete do else extends finally for get if in instanceof new of return set static super switch this throw try typeof void while with yield",
		"kc", "true false null undefined NaN Infinity", "nb", "Array Boolean Date Error JSON Map Math Number Object Promise RegExp Set String Symbol console document window globalThis fetch require module process")},
	"typescript": {label: "TypeScript", line: curly, block: slashes, quotes: `"'`, long: []string{"`"}, marks: markAt, words: words(
		"kn", "import export from", "kd", "const let var function class interface type enum namespace module declare",
		"k", "abstract as async await break case catch continue default delete do else extends finally for get if implements in infer instanceof is keyof new of override private protected public readonly return satisfies set static super switch this throw try typeof void while yield",
		"kc", "true false null undefined", "kt", "any bigint boolean never number object string symbol unknown", "nb", "Array Date Error JSON Map Math Object Partial Promise Record RegExp Set console document window fetch process")},
	"rust": {label: "Rust", line: curly, block: slashes, quotes: `"'`, marks: markRune + markHash, words: words(
		"kn", "use mod crate extern", "kd", "fn let const static struct enum trait impl type union macro_rules", "k", "as async await break continue dyn else for if in loop match move mut pub ref return self Self super unsafe where while",
		"kc", "true false None Some Ok Err", "kt", "bool char f32 f64 i8 i16 i32 i64 i128 isize str u8 u16 u32 u64 u128 usize String Vec Option Result Box")},
	"java": {label: "Java", line: curly, block: slashes, quotes: `"'`, long: []string{`"""`}, marks: markAt, words: words(
		"kn", "import package", "kd", "class interface enum record", "k", "abstract assert break case catch continue default do else extends final finally for if implements instanceof native new private protected public return sealed static strictfp super switch synchronized this throw throws transient try var volatile while yield",
		"kc", "true false null", "kt", "boolean byte char double float int long short void String Integer Object List Map")},
	"kotlin": {label: "Kotlin", line: curly, block: slashes, quotes: `"'`, long: []string{`"""`}, marks: markAt, words: words(
		"kn", "import package", "kd", "class interface object fun val var typealias", "k", "abstract as break by catch companion continue data do else enum finally for if in init inline internal is lateinit open operator out override private protected public return sealed super suspend this throw try when where while",
		"kc", "true false null", "kt", "Any Boolean Byte Char Double Float Int List Long Map Nothing Set Short String Unit")},
	"swift": {label: "Swift", line: curly, block: slashes, quotes: `"`, long: []string{`"""`}, marks: markAt, words: words(
		"kn", "import", "kd", "class struct enum protocol extension func let var typealias", "k", "as async await break case catch continue default defer do else fallthrough fileprivate final for get guard if in init inout internal is lazy mutating open override private public repeat rethrows return self set static super switch throw throws try where while",
		"kc", "true false nil", "kt", "Any Array Bool Character Dictionary Double Float Int Int64 Optional Set String UInt Void")},
	"c": {label: "C", line: curly, block: slashes, quotes: `"'`, marks: markHash, words: words(
		"kd", "struct enum union typedef", "k", "auto break case const continue default do else extern for goto if inline register restrict return sizeof static switch volatile while",
		"kc", "NULL true false", "kt", "bool char double float int long short signed size_t ssize_t unsigned void int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t FILE")},
	"cpp": {label: "C++", line: curly, block: slashes, quotes: `"'`, marks: markHash, words: words(
		"kn", "using namespace", "kd", "class struct enum union typedef template", "k", "auto break case catch const constexpr continue co_await co_return co_yield decltype default delete do else explicit export extern final for friend goto if inline mutable new noexcept operator override private protected public return sizeof static static_cast switch this throw try typename virtual volatile while",
		"kc", "nullptr NULL true false", "kt", "bool char double float int long short signed size_t unsigned void std string vector map set wchar_t int32_t int64_t uint32_t uint64_t")},
	"csharp": {label: "C#", line: curly, block: slashes, quotes: `"'`, marks: markHash, words: words(
		"kn", "using namespace", "kd", "class struct enum interface record delegate", "k", "abstract as async await base break case catch checked const continue default do else event explicit extern finally fixed for foreach get goto if implicit in init internal is lock new operator out override params partial private protected public readonly ref return sealed set sizeof stackalloc static switch this throw try typeof unchecked unsafe var virtual when where while yield",
		"kc", "true false null", "kt", "bool byte char decimal double dynamic float int long object sbyte short string uint ulong ushort void List Task")},
	"php": {label: "PHP", line: []string{"//", "#"}, block: slashes, quotes: `"'`, marks: markDollar, words: words(
		"kn", "namespace use require require_once include include_once", "kd", "function class interface trait enum fn const", "k", "abstract and as break case catch clone continue declare default do echo else elseif extends final finally for foreach global if implements instanceof match new or print private protected public readonly return static switch throw try var while xor yield",
		"kc", "true false null TRUE FALSE NULL", "kt", "array bool callable float int iterable mixed object string void")},
	"ruby": {label: "Ruby", line: hash, quotes: "\"'`", marks: markAt, words: words(
		"kn", "require require_relative include extend", "kd", "def class module", "k", "alias and begin break case do else elsif end ensure for if in loop next not or raise redo rescue retry return self super then undef unless until when while yield",
		"kc", "true false nil", "nb", "attr_accessor attr_reader attr_writer lambda p print private proc protected public puts")},
	"lua": {label: "Lua", line: []string{"--"}, quotes: `"'`, words: words("kd", "local function", "k", "and break do else elseif end for goto if in not or repeat return then until while", "kc", "true false nil", "nb", "ipairs pairs print require table string math type tostring tonumber")},
	"elixir": {label: "Elixir", line: hash, quotes: `"'`, long: []string{`"""`}, marks: markAt, words: words(
		"kn", "import require use alias", "kd", "def defp defmodule defmacro defstruct", "k", "after and case catch cond do else end fn for if in not or quote raise receive rescue try unless unquote when with", "kc", "true false nil")},
	"scala": {label: "Scala", line: curly, block: slashes, quotes: `"'`, long: []string{`"""`}, marks: markAt + markRune, words: words(
		"kn", "import package", "kd", "class object trait def val var type given", "k", "abstract case catch do else enum extends final finally for if implicit lazy match new override private protected return sealed super then this throw try using while with yield", "kc", "true false null", "kt", "Any Boolean Double Int List Long Map Option Seq String Unit")},
	"dart": {label: "Dart", line: curly, block: slashes, quotes: `"'`, long: []string{`"""`, `'''`}, marks: markAt, words: words(
		"kn", "import export library part", "kd", "class enum extension mixin typedef", "k", "abstract as assert async await break case catch const continue default do else extends factory final finally for get if implements in is late new on required rethrow return set static super switch sync this throw try var while with yield", "kc", "true false null", "kt", "bool double dynamic Future int List Map num Object Set String void")},
	"r":       {label: "R", line: hash, quotes: `"'`, words: words("kd", "function", "k", "break else for if in next repeat return while", "kc", "TRUE FALSE NULL NA Inf NaN", "nb", "c library data.frame list print")},
	"haskell": {label: "Haskell", line: []string{"--"}, block: [][2]string{{"{-", "-}"}}, quotes: `"`, words: words("kn", "import module qualified", "kd", "data newtype type class instance", "k", "as case deriving do else hiding if in infixl infixr let of then where", "kt", "Bool Char Double Either Int Integer IO Maybe String")},
	"zig":     {label: "Zig", line: curly, quotes: `"'`, marks: markAt, words: words("kd", "const fn struct enum union var", "k", "and anytype break catch comptime continue defer else errdefer error export for if inline or orelse packed pub return switch test try undefined unreachable while", "kc", "true false null", "kt", "bool f32 f64 i32 i64 isize u8 u16 u32 u64 usize void")},
	"bash": {label: "Shell", line: hash, quotes: `"`, raw: "'", marks: markDollar + markHyphen, words: words(
		"k", "case do done elif else esac fi for function if in select then until while", "nb", "alias break cd command continue declare echo eval exec exit export local printf pwd read readonly return set shift source test trap type ulimit unset wait",
		"nf", "apt apt-get awk cargo cat chmod chown cp curl cut date df docker du env find git go grep gzip head jq kill kubectl ln ls make mkdir mv node npm npx pip pip3 ps psql python python3 rm rmdir rsync sed sh sleep sort ssh sudo systemctl tail tar tee touch tr uname uniq wc wget which xargs")},
	"powershell": {label: "PowerShell", line: hash, block: [][2]string{{"<#", "#>"}}, quotes: `"`, raw: "'", marks: markDollar + markHyphen, fold: true, words: words("kd", "function class param", "k", "begin break catch continue do else elseif end exit finally for foreach if in process return switch throw trap try until while")},
	"sql": {label: "SQL", line: []string{"--"}, block: slashes, quotes: `"`, raw: "'", fold: true, words: words(
		"k", "add all alter analyze and any as asc begin between by cascade case check column commit conflict constraint create cross database default delete desc distinct do drop else end except exists explain fetch filter for foreign from full function grant group having if ilike in index inner insert intersect into is join key lateral left like limit materialized natural not nothing offset on or order outer over partition primary recursive references returning revoke right rollback select set table then to transaction trigger truncate union unique update using values view when where window with",
		"kc", "null true false", "kt", "bigint bigserial blob boolean bytea char date decimal double float int integer interval json jsonb numeric real serial smallint text time timestamp timestamptz tinyint uuid varchar",
		"nb", "avg coalesce count lower max min now row_number sum upper")},
	"json":       {label: "JSON", line: curly, block: slashes, quotes: `"`, marks: markKeys, words: words("kc", "true false null")},
	"yaml":       {label: "YAML", line: hash, quotes: `"'`, marks: markKeys + markHyphen, words: words("kc", "true false null yes no on off")},
	"toml":       {label: "TOML", line: hash, quotes: `"`, long: []string{`"""`, `'''`}, raw: "'", marks: markAssign + markHyphen + markSection, words: words("kc", "true false")},
	"ini":        {label: "INI", line: []string{"#", ";"}, quotes: `"`, marks: markAssign + markHyphen + markSection},
	"css":        {label: "CSS", block: slashes, quotes: `"'`, marks: markKeys + markHyphen + markAt},
	"scss":       {label: "SCSS", line: curly, block: slashes, quotes: `"'`, marks: markKeys + markHyphen + markAt + markDollar},
	"dockerfile": {label: "Dockerfile", line: hash, quotes: `"'`, marks: markDollar + markHyphen, words: words("k", "FROM RUN CMD LABEL MAINTAINER EXPOSE ENV ADD COPY ENTRYPOINT VOLUME USER WORKDIR ARG ONBUILD STOPSIGNAL HEALTHCHECK SHELL AS")},
	"makefile":   {label: "Makefile", line: hash, quotes: `"'`, marks: markDollar + markKeys + markHyphen + markAssign, words: words("k", "define else endef endif export ifdef ifeq ifndef ifneq include override unexport")},
	"hcl":        {label: "HCL", line: []string{"#", "//"}, block: slashes, quotes: `"`, marks: markAssign + markHyphen, words: words("kd", "resource data module variable output provider terraform locals", "kc", "true false null")},
	"graphql":    {label: "GraphQL", line: hash, quotes: `"`, long: []string{`"""`}, marks: markAt + markDollar, words: words("kd", "type interface enum union input scalar query mutation subscription fragment schema directive extend", "k", "implements on", "kc", "true false null", "kt", "Boolean Float ID Int String")},
	"proto":      {label: "Protobuf", line: curly, block: slashes, quotes: `"`, words: words("kn", "import package syntax option", "kd", "message service enum oneof extend", "k", "map optional repeated required reserved returns rpc stream to", "kc", "true false", "kt", "bool bytes double fixed32 fixed64 float int32 int64 sint32 sint64 string uint32 uint64")},
	"nginx":      {label: "nginx", line: hash, quotes: `"'`, marks: markDollar, words: words("k", "events http if include listen location proxy_pass proxy_set_header return rewrite root server server_name ssl_certificate ssl_certificate_key try_files upstream worker_processes", "kc", "on off")},
	"perl":       {label: "Perl", line: hash, quotes: `"`, raw: "'", marks: markDollar + markAt, words: words("kn", "use no require package", "kd", "sub my our local", "k", "and die do else elsif eval for foreach if last next not or print return say unless until while")},
	"html":       {label: "HTML", scan: (*painter).markup},
	"xml":        {label: "XML", scan: (*painter).markup},
	"diff":       {label: "Diff", scan: (*painter).diff},
	"console":    {label: "Console", scan: (*painter).console},
}

// names are what else people call them, file endings among them.
var names = map[string]string{
	"golang": "go", "py": "python", "py3": "python", "python3": "python", "js": "javascript", "jsx": "javascript", "mjs": "javascript", "cjs": "javascript",
	"node": "javascript", "ts": "typescript", "tsx": "typescript", "mts": "typescript", "rs": "rust", "kt": "kotlin", "kts": "kotlin", "h": "c",
	"c++": "cpp", "cc": "cpp", "cxx": "cpp", "hpp": "cpp", "c#": "csharp", "cs": "csharp", "rb": "ruby", "ex": "elixir", "exs": "elixir", "hs": "haskell",
	"sh": "bash", "shell": "bash", "zsh": "bash", "ksh": "bash", "fish": "bash", "env": "bash", "dotenv": "bash", "ps1": "powershell", "pwsh": "powershell",
	"postgres": "sql", "postgresql": "sql", "mysql": "sql", "sqlite": "sql", "plpgsql": "sql", "jsonc": "json", "json5": "json", "jsonl": "json", "ndjson": "json",
	"webmanifest": "json", "yml": "yaml", "cfg": "ini", "conf": "ini", "properties": "ini", "service": "ini", "less": "scss", "sass": "scss", "docker": "dockerfile",
	"make": "makefile", "mk": "makefile", "mod": "go", "tf": "hcl", "terraform": "hcl", "gql": "graphql", "protobuf": "proto", "pl": "perl", "pm": "perl",
	"htm": "html", "vue": "html", "svelte": "html", "svg": "xml", "xsl": "xml", "rss": "xml", "plist": "xml", "templ": "html", "patch": "diff", "udiff": "diff",
	"shell-session": "console", "sh-session": "console", "bash-session": "console", "terminal": "console",
}

// find gives the language of a fence's info string, and the words for its head: any name that looks like one.
func find(info string) (*language, string) {
	name, _, _ := strings.Cut(strings.TrimSpace(info), " ")
	name = strings.TrimPrefix(strings.Trim(name, "{}"), ".")
	key := strings.ToLower(name)
	if to := names[key]; to != "" {
		key = to
	}
	if l := languages[key]; l != nil {
		return l, l.label
	}
	switch {
	case key == "" || key == "text" || key == "txt" || key == "plain" || key == "plaintext" || key == "output":
		return nil, ""
	case strings.ContainsAny(name, "./"): // some write the file's name
		return byName(name), clip(name)
	}
	return nil, clip(name)
}

func clip(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:59]) + "…"
	}
	return s
}

// byName gives the language of a file.
func byName(file string) *language {
	base := strings.ToLower(path.Base(file))
	if l := languages[base]; l != nil {
		return l
	}
	key := strings.TrimPrefix(path.Ext(base), ".")
	if key == "" {
		key = strings.TrimPrefix(base, ".")
	}
	if to := names[key]; to != "" {
		key = to
	}
	return languages[key]
}

// Languages lists the names of what can be coloured.
func Languages() []string { return slices.Sorted(maps.Keys(languages)) }
