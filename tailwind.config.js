// Tailwind's view of the tokens in static/css/tokens.css: every colour is a CSS variable, so that both themes follow.
/** @type {import('tailwindcss').Config} */
module.exports = {
  content: ["./views/**/*.templ", "./static/js/*.js"],
  darkMode: ["selector", '[data-theme="dark"]'],
  theme: {
    colors: {
      transparent: "transparent",
      current: "currentColor",
      bg: "var(--bg)",
      surface: "var(--surface)",
      sunken: "var(--sunken)",
      raised: "var(--hover)",
      line: { DEFAULT: "var(--line)", strong: "var(--line-strong)" },
      text: "var(--text)",
      muted: "var(--muted)",
      faint: "var(--faint)",
      accent: { DEFAULT: "var(--accent)", ink: "var(--accent-ink)", soft: "var(--accent-soft)" },
      ok: { DEFAULT: "var(--ok)", soft: "var(--ok-soft)" },
      warn: { DEFAULT: "var(--warn)", soft: "var(--warn-soft)" },
      bad: { DEFAULT: "var(--bad)", soft: "var(--bad-soft)" },
      info: { DEFAULT: "var(--info)", soft: "var(--info-soft)" },
    },
    fontFamily: { sans: "var(--font)", mono: "var(--mono)" },
    borderRadius: { none: "0", sm: "4px", DEFAULT: "var(--r)", md: "7px", lg: "var(--r-lg)", full: "9999px" },
    screens: { sm: "640px", lg: "1024px", xl: "1181px" },
  },
};
