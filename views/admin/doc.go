// Package admin owns the back office: what staff of the installation see of all organizations, and the forms of their
// acts. Each act has a reason. It knows no handler; props are models and plain data.
package admin
