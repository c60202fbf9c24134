/** What opens over the page for a moment. Escape closes it, and so does a click elsewhere. */
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

interface PopoverProps {
  readonly summary: string
  readonly children: ComponentChildren
}

export function Popover({ summary, children }: PopoverProps) {
  const box = useRef<HTMLDetailsElement>(null)
  useEffect(() => {
    const onDown = ({ target }: PointerEvent) => {
      if (box.current !== null && target instanceof Node && !box.current.contains(target))
        box.current.open = false
    }
    addEventListener('pointerdown', onDown)
    return () => removeEventListener('pointerdown', onDown)
  }, [])
  const onKeyDown = (event: KeyboardEvent) => {
    const { current } = box
    if (event.key !== 'Escape' || current === null || !current.open) return
    // It is not meant for what is below.
    event.stopPropagation()
    current.open = false
    current.querySelector('summary')?.focus()
  }
  return (
    <details class="popover" ref={box} onKeyDown={onKeyDown}>
      <summary>{summary}</summary>
      <div class="sheet">{children}</div>
    </details>
  )
}
