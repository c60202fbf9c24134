import { useEffect, useState } from 'preact/hooks'

const THEMES = ['auto', 'light', 'dark'] as const

export type Theme = (typeof THEMES)[number]

const THEME_KEY = 'pypet-ts theme'

export function nextTheme(theme: Theme): Theme {
  return THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] as Theme
}

/** The theme that the user has chosen. It is remembered. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState<Theme>(
    () => THEMES.find((each) => each === localStorage.getItem(THEME_KEY)) ?? 'auto',
  )
  useEffect(() => {
    localStorage.setItem(THEME_KEY, theme)
    if (theme === 'auto') delete document.documentElement.dataset['theme']
    else document.documentElement.dataset['theme'] = theme
    // Canvases take their colours from it.
    dispatchEvent(new Event('themechange'))
  }, [theme])
  return [theme, setTheme]
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
