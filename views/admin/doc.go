// Package admin shows what concerns the whole installation, to its staff. It knows no handler; props are models and
// plain data.
package admin
