/** The release of this program; the same as in package.json (a test compares them). Loads nothing. */
export const release = '0.3.0';
