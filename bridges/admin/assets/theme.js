// The chosen colours, before the first paint. A classic script, because modules run too late for that.
try {
  document.documentElement.dataset.theme = localStorage.getItem('pb.theme') ?? 'auto';
} catch { /* storage may be forbidden: then it is as the system says */ }
