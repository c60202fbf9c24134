/** esbuild makes one style of all that are imported. */
declare module '*.css'
