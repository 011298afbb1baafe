/** Two entries, since a service worker keeps its name and its place beside the page. */

export default {
  base: "./",
  build: {
    target: "es2022",
    rolldownOptions: {
      input: { page: `${import.meta.dirname}/index.html`, "service-worker": `${import.meta.dirname}/service-worker.js` },
      output: { entryFileNames: ({ name }) => (name === "service-worker" ? "[name].js" : "assets/[name]-[hash].js") },
    },
  },
};
