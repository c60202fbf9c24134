import { useEffect, useState } from 'preact/hooks'

const THEMES = ['auto', 'light', 'dark'] as const

type Theme = (typeof THEMES)[number]

const THEME_KEY = 'pypet-ts theme'

/** The theme that the user has chosen, and a function that changes to the next one. It is remembered. */
export function useTheme(): [Theme, () => void] {
  const [theme, setTheme] = useState<Theme>(storedTheme)
  useEffect(() => apply(theme), [theme])
  return [
    theme,
    () => {
      // Of two quick clicks, the second may come before the page is drawn again.
      const next = THEMES[(THEMES.indexOf(storedTheme()) + 1) % THEMES.length] as Theme
      localStorage.setItem(THEME_KEY, next)
      setTheme(next)
    },
  ]
}

function storedTheme(): Theme {
  return THEMES.find((each) => each === localStorage.getItem(THEME_KEY)) ?? 'auto'
}

function apply(theme: Theme): void {
  if (theme === 'auto') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = theme
  // Canvases take their colours from it.
  dispatchEvent(new Event('themechange'))
}

/** Grows when the colours change, by the user or by the system. */
export function useThemeVersion(): number {
  const [version, setVersion] = useState(0)
  useEffect(() => {
    const change = () => setVersion((before) => before + 1)
    const media = matchMedia('(prefers-color-scheme: dark)')
    media.addEventListener('change', change)
    addEventListener('themechange', change)
    return () => {
      media.removeEventListener('change', change)
      removeEventListener('themechange', change)
    }
  }, [])
  return version
}
