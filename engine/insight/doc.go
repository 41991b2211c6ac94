// Package insight explains turns: what their figures say (tips), what a session's and an organization's figures say, and what
// a model says when somebody asks it. Rules are pure functions over figures. It knows neither HTTP nor SQL, changes no turn,
// and runs no tool.
package insight
