import { useState } from 'preact/hooks'

const TOLD_MS = 1500

export function CopyButton({
  text,
  name,
  label = 'copy',
  title = text,
}: {
  readonly text: string
  readonly name: string
  readonly label?: string
  readonly title?: string
}) {
  const [isCopied, setCopied] = useState(false)
  const copy = async () => {
    await copyText(text)
    setCopied(true)
    setTimeout(() => setCopied(false), TOLD_MS)
  }
  return (
    <button type="button" class="quiet copy" onClick={copy} aria-label={name} title={title}>
      {isCopied ? 'copied' : label}
    </button>
  )
}

/** Without a secure context, such as with `--allow-remote`, there is no clipboard object. */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard !== undefined) {
    try {
      await navigator.clipboard.writeText(text)
      return
    } catch {
      // The browser has refused it. The older way may still work.
    }
  }
  const area = document.createElement('textarea')
  area.value = text
  document.body.append(area)
  area.select()
  document.execCommand('copy')
  area.remove()
}
