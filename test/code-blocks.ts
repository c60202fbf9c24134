/** What stands between fences in a page of Markdown. */

export interface CodeBlock {
  readonly language: string
  readonly code: string
}

/** All of them, in their order. */
export function codeBlocks(page: string): CodeBlock[] {
  const found = page.matchAll(/^```(\w+)\n(.*?)^```$/gms)
  return [...found].map(([, language = '', code = '']) => ({ language, code }))
}

/** Those of one language. */
export function codeIn(page: string, language: string): string[] {
  return codeBlocks(page).flatMap((block) => (block.language === language ? [block.code] : []))
}
