package email

import (
	"regexp"
	"slices"
	"strings"
)

// What programs write above what they quote. Only well-known forms are cut, and only where nothing of the writer's follows: a sentence too
// many does less harm than one that is lost.
var (
	attribution = regexp.MustCompile(`(?i)^(on\s.{5,300}\swrote|am\s.{5,300}\sschrieb(\s.{1,200})?|le\s.{5,300}\sa\s[eé]crit|el\s.{5,300}\sescribi[oó]|il\s.{5,300}\sha\sscritto|em\s.{5,300}\sescreveu|op\s.{5,300}\sschreef(\s.{1,200})?|.{0,200}<[^<>\s]+@[^<>\s]+>\s*(wrote|schrieb|a\s[eé]crit|escribi[oó]|ha\sscritto|schreef))\s?:\s*$`)
	original    = regexp.MustCompile(`(?i)^\s*-{2,}\s*(original message|original appointment|ursprüngliche nachricht|originalnachricht|message d'origine|mensaje original|messaggio originale|oorspronkelijk bericht|mensagem original)\s*-{2,}\s*$`)
	carried     = regexp.MustCompile(`(?i)^\s*(-{2,}\s*(forwarded message|weitergeleitete nachricht|message transféré|mensaje reenviado|messaggio inoltrato|doorgestuurd bericht)\s*-{2,}|begin forwarded message:|anfang der weitergeleiteten (nachricht|e-mail):)\s*$`)
	headFrom    = regexp.MustCompile(`(?i)^\*?(from|von|de|da|van)\s?:\*?\s.*\S`)
	headOther   = regexp.MustCompile(`(?i)^\*?(sent|date|to|subject|cc|gesendet|datum|an|betreff|envoyé|à|objet|enviado( el)?|para|asunto|inviato|a|oggetto|verzonden|aan|onderwerp|assunto)\s?:\*?\s`)
	underscores = regexp.MustCompile(`^\s*_{10,}\s*$`)
	gadget      = regexp.MustCompile(`(?i)^(sent from (my |outlook|mail for|yahoo|proton)|get outlook for |von meinem .{2,40} gesendet|gesendet von (meinem|outlook|mail)|envoyé de(puis)? mon |enviado desde mi |inviato da(l mio)? |verstuurd vanaf mijn )`)
)

// newWords gives what the writer wrote now: without what is quoted under it, and without the signature.
func newWords(s string, forwarded bool) string {
	lines := strings.Split(strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\u00a0", " "), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], "\r\t")
	}
	if !forwarded && !slices.ContainsFunc(lines, carried.MatchString) {
		lines = unquoted(lines)
	}
	out := strings.TrimSpace(strings.Join(unsigned(lines), "\n"))
	if out == "" {
		return strings.TrimSpace(s) // all of it looks quoted: then that is what was said
	}
	return out
}

// unquoted cuts the history off that follows to the end.
func unquoted(lines []string) []string {
	for i := range lines {
		switch {
		case original.MatchString(lines[i]), underscores.MatchString(lines[i]) && header(lines[i+1:]):
			return lines[:i]
		case headFrom.MatchString(lines[i]) && i > 0 && strings.TrimSpace(lines[i-1]) == "" && header(lines[i:]):
			return lines[:i]
		}
		if n := attributed(lines[i:]); n > 0 && quotedToEnd(lines[i+n:]) {
			return lines[:i]
		}
	}
	last := len(lines)
	for last > 0 && (strings.TrimSpace(lines[last-1]) == "" || strings.HasPrefix(lines[last-1], ">")) {
		last--
	}
	return lines[:last]
}

// header tells a block as Outlook writes it: who from, and at least two lines more of the kind.
func header(lines []string) bool {
	found, others := false, 0
	for i, l := range lines {
		l = strings.TrimSpace(l)
		switch {
		case i > 8:
		case headFrom.MatchString(l):
			found = true
		case found && headOther.MatchString(l):
			others++
		}
	}
	return found && others >= 2
}

// attributed gives how many lines say who wrote what follows: one, or up to three when it was wrapped; 0 for none.
func attributed(lines []string) int {
	joined := ""
	for n := 1; n <= 3 && n <= len(lines); n++ {
		l := strings.TrimSpace(lines[n-1])
		if l == "" || strings.HasPrefix(l, ">") {
			return 0
		}
		if joined = strings.TrimSpace(joined + " " + l); attribution.MatchString(joined) {
			return n
		}
	}
	return 0
}

// quotedToEnd tells that nothing but quotations follows, at least one line of them.
func quotedToEnd(lines []string) bool {
	some := false
	for _, l := range lines {
		if l = strings.TrimSpace(l); strings.HasPrefix(l, ">") {
			some = true
		} else if l != "" {
			return false
		}
	}
	return some
}

// longestSignature is how many lines a signature has at most; what is longer is no signature.
const longestSignature = 15

func unsigned(lines []string) []string {
	end := len(lines)
	for end > 0 && strings.TrimSpace(lines[end-1]) == "" {
		end--
	}
	lines = lines[:end]
	for i := max(end-longestSignature-1, 0); i < end; i++ {
		if lines[i] == "-- " || lines[i] == "--" {
			return lines[:i]
		}
	}
	if end > 0 && gadget.MatchString(strings.TrimSpace(lines[end-1])) && len(lines[end-1]) < 80 {
		return lines[:end-1]
	}
	return lines
}
